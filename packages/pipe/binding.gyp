{
  'targets': [{ 'target_name': 'pipe', 'sources': ['native/pipe.cc', 'native/transfer.cc'], 'includes': ['../core/addon.gypi'] }]
}
