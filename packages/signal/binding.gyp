{
  'targets': [{ 'target_name': 'signal', 'sources': ['native/signal.cc'], 'includes': ['../core/addon.gypi'] }]
}
