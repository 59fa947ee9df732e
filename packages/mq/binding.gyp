{
  'targets': [{ 'target_name': 'mq', 'sources': ['native/mq.cc', 'native/notify.cc', 'native/posix.cc', 'native/sysv.cc', 'native/sysv_transfer.cc', 'native/sysv_wait.cc'], 'includes': ['../core/addon.gypi'] }]
}
