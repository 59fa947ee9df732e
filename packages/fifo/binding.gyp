{
  'targets': [{ 'target_name': 'fifo', 'sources': ['native/fifo.cc', 'native/opening.cc'], 'includes': ['../core/addon.gypi'] }]
}
