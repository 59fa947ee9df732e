{
  'targets': [{ 'target_name': '__name__', 'sources': ['native/__name__.cc'], 'includes': ['../core/addon.gypi'] }]
}
