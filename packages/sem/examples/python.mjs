import { spawn } from 'node:child_process';
import { PosixSemaphore } from '@octoipc/sem';

const name = `/octoipc-tickets-${process.pid}`;
const tickets = PosixSemaphore.open(name, { temporary: true });
const script = `
import ctypes, sys
libc = ctypes.CDLL(None)
libc.sem_open.restype = ctypes.c_void_p
tickets = ctypes.c_void_p(libc.sem_open(sys.argv[1].encode(), 0))
libc.sem_wait(tickets)
print("Python has a ticket")
`;
const python = spawn('python3', ['-c', script, name], { stdio: 'inherit' });
tickets.release();
const [code] = await new Promise((resolve) => python.once('exit', (...how) => resolve(how)));
console.log([code, tickets.value]); //=> [0, 0]
tickets.close();
