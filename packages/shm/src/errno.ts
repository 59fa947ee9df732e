import { constants } from 'node:os';

const { errno } = constants;

/** What native functions answer, where it is not an error but news. */
export const EACCES = -errno.EACCES;
export const EADDRINUSE = -errno.EADDRINUSE;
export const EAGAIN = -errno.EAGAIN;
export const EBADMSG = -errno.EBADMSG;
export const EBUSY = -errno.EBUSY;
export const EEXIST = -errno.EEXIST;
export const EIDRM = -errno.EIDRM;
export const EINTR = -errno.EINTR;
export const EINVAL = -errno.EINVAL;
export const ELOOP = -errno.ELOOP;
export const ENOBUFS = -errno.ENOBUFS;
export const ENOENT = -errno.ENOENT;
export const ENOMEM = -errno.ENOMEM;
export const ENOSPC = -errno.ENOSPC;
export const EOPNOTSUPP = -errno.EOPNOTSUPP;
export const EPERM = -errno.EPERM;
export const ESRCH = -errno.ESRCH;
export const ETIMEDOUT = -errno.ETIMEDOUT;
