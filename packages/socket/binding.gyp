{
  'targets': [{ 'target_name': 'socket', 'sources': ['native/socket.cc'], 'includes': ['../core/addon.gypi'] }]
}
