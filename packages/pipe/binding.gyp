{
  'targets': [{ 'target_name': 'pipe', 'sources': ['native/pipe.cc'], 'includes': ['../core/addon.gypi'] }]
}
