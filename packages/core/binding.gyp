{
  'targets': [{ 'target_name': 'core', 'sources': ['native/core.cc', 'native/leftover.cc'], 'includes': ['addon.gypi'] }],
  # The kit's own tests, which the published package does not have.
  'conditions': [['"<!(node -p "require(\'fs\').existsSync(\'test/native/kit_test.cc\')")"=="true"', {
    'targets': [{ 'target_name': 'kit_test', 'sources': ['test/native/kit_test.cc'], 'includes': ['addon.gypi'] }],
  }]],
}
