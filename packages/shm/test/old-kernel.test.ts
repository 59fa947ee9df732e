import { testOldKernels } from '../../core/test/old-kernels.js';

testOldKernels(new URL('./fixtures/old-kernel.mjs', import.meta.url));
