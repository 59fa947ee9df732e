/** Numbers of <sys/socket.h> and <netinet/*.h>, as Linux has them on x64 and arm64. */

/** Address families: address_families(7). */
export const AF_UNSPEC = 0;
export const AF_UNIX = 1;
export const AF_INET = 2;
export const AF_INET6 = 10;
export const AF_VSOCK = 40;

/** Types: socket(2). */
export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const SOCK_SEQPACKET = 5;

/** Levels of options. */
export const SOL_SOCKET = 1;
export const IPPROTO_IP = 0;
export const IPPROTO_TCP = 6;
export const IPPROTO_UDP = 17;
export const IPPROTO_IPV6 = 41;

/** Options of SOL_SOCKET: socket(7), unix(7). */
export const SO_REUSEADDR = 2;
export const SO_TYPE = 3;
export const SO_ERROR = 4;
export const SO_BROADCAST = 6;
export const SO_SNDBUF = 7;
export const SO_RCVBUF = 8;
export const SO_KEEPALIVE = 9;
export const SO_LINGER = 13;
export const SO_REUSEPORT = 15;
export const SO_PASSCRED = 16;
export const SO_PEERCRED = 17;
export const SO_RCVTIMEO = 20;
export const SO_SNDTIMEO = 21;
export const SO_ACCEPTCONN = 30;
export const SO_PEERSEC = 31;
export const SO_PASSSEC = 34;
export const SO_PROTOCOL = 38;
export const SO_DOMAIN = 39;
export const SO_PEERGROUPS = 59;
export const SO_PASSPIDFD = 76;
export const SO_PEERPIDFD = 77;
export const SO_PASSRIGHTS = 83;

/** Options of IPPROTO_TCP: tcp(7). */
export const TCP_NODELAY = 1;
export const TCP_KEEPIDLE = 4;
export const TCP_KEEPINTVL = 5;
export const TCP_KEEPCNT = 6;
export const TCP_USER_TIMEOUT = 18;

/** Option of IPPROTO_IPV6: ipv6(7). */
export const IPV6_V6ONLY = 26;

/** Flags of send and recv: send(2), recv(2). */
export const MSG_OOB = 0x1;
export const MSG_PEEK = 0x2;
export const MSG_CTRUNC = 0x8;
export const MSG_TRUNC = 0x20;
export const MSG_DONTWAIT = 0x40;
export const MSG_EOR = 0x80;
export const MSG_WAITALL = 0x100;
export const MSG_NOSIGNAL = 0x4000;
export const MSG_CMSG_CLOEXEC = 0x40000000;

/** How to shut down: shutdown(2). */
export const SHUT_RD = 0;
export const SHUT_WR = 1;
export const SHUT_RDWR = 2;

/** The longest backlog that listen(2) does not cap by itself: net.core.somaxconn. */
export const SOMAXCONN = 4096;

/** As many descriptors travel in one message: unix(7). */
export const SCM_MAX_FD = 253;
