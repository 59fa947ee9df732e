import { constants } from 'node:os';

const { errno } = constants;

/** What native functions answer, where it is not an error but news. */
export const EACCES: number = -errno.EACCES;
export const EAGAIN: number = -errno.EAGAIN;
export const EBADF: number = -errno.EBADF;
export const EBUSY: number = -errno.EBUSY;
export const E2BIG: number = -errno.E2BIG;
export const EEXIST: number = -errno.EEXIST;
export const EIDRM: number = -errno.EIDRM;
export const EINTR: number = -errno.EINTR;
export const EINVAL: number = -errno.EINVAL;
export const ENOENT: number = -errno.ENOENT;
export const ENOMSG: number = -errno.ENOMSG;
export const ENOSYS: number = -errno.ENOSYS;
export const EPERM: number = -errno.EPERM;
