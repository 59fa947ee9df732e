import { constants } from 'node:os';

const { errno } = constants;

/** What native functions answer, where it is not an error but news. */
export const EACCES: number = -errno.EACCES;
export const EADDRINUSE: number = -errno.EADDRINUSE;
export const EAGAIN: number = -errno.EAGAIN;
export const EBADMSG: number = -errno.EBADMSG;
export const EBUSY: number = -errno.EBUSY;
export const EEXIST: number = -errno.EEXIST;
export const EIDRM: number = -errno.EIDRM;
export const EINTR: number = -errno.EINTR;
export const EINVAL: number = -errno.EINVAL;
export const ELOOP: number = -errno.ELOOP;
export const ENOBUFS: number = -errno.ENOBUFS;
export const ENOENT: number = -errno.ENOENT;
export const ENOMEM: number = -errno.ENOMEM;
export const ENOSPC: number = -errno.ENOSPC;
export const EOPNOTSUPP: number = -errno.EOPNOTSUPP;
export const EPERM: number = -errno.EPERM;
export const ESRCH: number = -errno.ESRCH;
export const ETIMEDOUT: number = -errno.ETIMEDOUT;
