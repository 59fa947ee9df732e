import { constants } from 'node:os';

const { errno } = constants;

/** What native functions answer, where it is not an error but news. */
export const EACCES = -errno.EACCES;
export const EAGAIN = -errno.EAGAIN;
export const EBADF = -errno.EBADF;
export const EBUSY = -errno.EBUSY;
export const E2BIG = -errno.E2BIG;
export const EEXIST = -errno.EEXIST;
export const EIDRM = -errno.EIDRM;
export const EINTR = -errno.EINTR;
export const EINVAL = -errno.EINVAL;
export const ENOENT = -errno.ENOENT;
export const ENOMSG = -errno.ENOMSG;
export const ENOSYS = -errno.ENOSYS;
export const EPERM = -errno.EPERM;
