import { constants } from 'node:os';

const { errno } = constants;

/** What native functions answer, where it is not an error but news. */
export const EACCES: number = -errno.EACCES;
export const EAGAIN: number = -errno.EAGAIN;
export const EEXIST: number = -errno.EEXIST;
export const EFAULT: number = -errno.EFAULT;
export const EIDRM: number = -errno.EIDRM;
export const EINPROGRESS: number = -errno.EINPROGRESS;
export const EINTR: number = -errno.EINTR;
export const EINVAL: number = -errno.EINVAL;
export const ENOENT: number = -errno.ENOENT;
export const ENOSYS: number = -errno.ENOSYS;
