# Flags and include paths of every binding. A binding.gyp names its target and its sources and
# includes this file.
{
  'include_dirs': [
    '<!(node -p "require(\'node-addon-api\').include_dir")',
    '<!(node -p "require(\'path\').resolve(\'..\', \'core\', \'include\')")',
  ],
  'defines': [
    'NAPI_VERSION=9',
    'NODE_ADDON_API_DISABLE_DEPRECATED',
    'NODE_ADDON_API_REQUIRE_BASIC_FINALIZERS',
    # A worker that is terminated can be thrown nothing: no reason to end the process.
    'NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS',
    'NAPI_DISABLE_CPP_EXCEPTIONS',
    '_FORTIFY_SOURCE=2',
  ],
  'cflags': [
    '-Wall', '-Wextra', '-Werror', '-O2',
    '-fvisibility=hidden', '-ffunction-sections', '-fdata-sections',
    '-fstack-protector-strong', '-fstack-clash-protection',
  ],
  'cflags_cc': ['-std=c++20', '-Wno-missing-field-initializers', '-Wno-cast-function-type'],
  'cflags_cc!': ['-std=gnu++17', '-std=gnu++20', '-O3'],
  'cflags!': ['-O3'],
  'ldflags': [
    # nodelete: a worker that ends must not unmap code that a closing handle or a signal still needs.
    '-Wl,-z,relro', '-Wl,-z,now', '-Wl,-z,noexecstack', '-Wl,-z,nodelete',
    '-Wl,--gc-sections', '-Wl,--exclude-libs,ALL',
  ],
  'conditions': [
    # The calls of Linux that another system has not.
    ['OS!="linux"', {
      'include_dirs': ['<!(node -p "require(\'path\').resolve(\'..\', \'core\', \'include\', \'elsewhere\')")'],
      'cflags': ['-include', 'octoipc/elsewhere.h'],
      'xcode_settings': {
        'CLANG_CXX_LANGUAGE_STANDARD': 'c++20',
        'GCC_SYMBOLS_PRIVATE_EXTERN': 'YES',
        'OTHER_CFLAGS': ['-include', 'octoipc/elsewhere.h'],
      },
    }],
    ['target_arch=="x64"', { 'cflags': ['-fcf-protection=full'] }],
    ['target_arch=="arm64"', { 'cflags': ['-mbranch-protection=standard'] }],
  ],
}
