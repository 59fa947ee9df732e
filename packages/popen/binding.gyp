{
  'targets': [{
    'target_name': 'popen',
    'sources': ['native/popen.cc', 'native/plan.cc', 'native/spawn.cc', 'native/child.cc', 'native/keeper.cc', 'native/guard.cc'],
    'includes': ['../core/addon.gypi'],
  }]
}
