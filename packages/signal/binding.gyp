{
  'targets': [{
    'target_name': 'signal',
    'sources': ['native/signal.cc', 'native/exchange.cc', 'native/dispositions.cc', 'native/thread_masks.cc', 'native/send.cc', 'native/process.cc'],
    'includes': ['../core/addon.gypi'],
  }]
}
