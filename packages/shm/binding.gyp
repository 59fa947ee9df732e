{
  'targets': [{ 'target_name': 'shm', 'sources': ['native/shm.cc'], 'includes': ['../core/addon.gypi'] }]
}
