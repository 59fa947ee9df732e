{
  'targets': [{ 'target_name': 'shm', 'sources': ['native/shm.cc', 'native/fault.cc', 'native/futex.cc', 'native/futex_thread.cc', 'native/mappings.cc', 'native/objects.cc', 'native/racing.cc', 'native/region.cc', 'native/ring.cc', 'native/sysv.cc'], 'includes': ['../core/addon.gypi'] }]
}
