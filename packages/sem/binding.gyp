{
  'targets': [{ 'target_name': 'sem', 'sources': ['native/sem.cc', 'native/keeper.cc', 'native/posix.cc', 'native/region.cc', 'native/sysv.cc', 'native/sysv_wait.cc', 'native/word_watch.cc'], 'includes': ['../core/addon.gypi'] }]
}
