import { constants } from 'node:os';

const { errno } = constants;

/** What native functions answer, where it is not an error but news. */
export const EACCES = -errno.EACCES;
export const EAGAIN = -errno.EAGAIN;
export const EEXIST = -errno.EEXIST;
export const EFAULT = -errno.EFAULT;
export const EIDRM = -errno.EIDRM;
export const EINPROGRESS = -errno.EINPROGRESS;
export const EINTR = -errno.EINTR;
export const EINVAL = -errno.EINVAL;
export const ENOENT = -errno.ENOENT;
