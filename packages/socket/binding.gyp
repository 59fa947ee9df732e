{
  'targets': [{ 'target_name': 'socket', 'sources': ['native/names.cc', 'native/receive.cc', 'native/socket.cc', 'native/transfer.cc'], 'includes': ['../core/addon.gypi'] }]
}
