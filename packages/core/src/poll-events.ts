/** Bits of poll(2) and epoll(7), which agree. */
export const POLLIN = 0x001;
export const POLLOUT = 0x004;
export const POLLERR = 0x008;
export const POLLHUP = 0x010;

/** What may let a read go on. */
export const READABLE: number = POLLIN | 0x002 /* PRI */ | POLLERR | POLLHUP | 0x2000; /* RDHUP */

/** What may let a write go on. */
export const WRITABLE: number = POLLOUT | POLLERR | POLLHUP;
