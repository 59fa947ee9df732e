{
  'targets': [{ 'target_name': 'core', 'sources': ['native/core.cc'], 'includes': ['addon.gypi'] }]
}
