// octoipc

import * as _octoipc_socket from '@octoipc/socket';

import * as _octoipc_shm from '@octoipc/shm';

import * as _octoipc_sem from '@octoipc/sem';

import * as _octoipc_popen from '@octoipc/popen';

import * as _octoipc_signal from '@octoipc/signal';

import * as _octoipc_mq from '@octoipc/mq';

import * as _octoipc_fifo from '@octoipc/fifo';

import * as _octoipc_pipe from '@octoipc/pipe';

declare const fifo: typeof _octoipc_fifo;

declare const mq: typeof _octoipc_mq;

declare const pipe: typeof _octoipc_pipe;

declare const popen: typeof _octoipc_popen;

declare const sem: typeof _octoipc_sem;

declare const shm: typeof _octoipc_shm;

declare const signal: typeof _octoipc_signal;

declare const socket: typeof _octoipc_socket;

export { fifo, mq, pipe, popen, sem, shm, signal, socket };

// octoipc/pipe

export * from '@octoipc/pipe';

// octoipc/fifo

import '@octoipc/mq';

import '@octoipc/pipe';

import '@octoipc/popen';

import '@octoipc/sem';

import '@octoipc/shm';

import '@octoipc/signal';

import '@octoipc/socket';

export * from '@octoipc/fifo';

// octoipc/mq

export * from '@octoipc/mq';

// octoipc/sem

export * from '@octoipc/sem';

// octoipc/shm

export * from '@octoipc/shm';

// octoipc/signal

export * from '@octoipc/signal';

// octoipc/socket

export * from '@octoipc/socket';

// octoipc/popen

export * from '@octoipc/popen';
