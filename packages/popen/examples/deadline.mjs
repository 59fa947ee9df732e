// A program with a deadline: when it has struck, nothing of its process group is left.
import { popen } from '@octoipc/popen';

const program = popen('echo begun; sleep 60 & sleep 60; echo done', 'r', { timeout: 200 });
try {
  console.log(await program.text());
} catch (error) {
  console.log(`${error.code}; it had said: ${error.stdout}`.trimEnd());
}
console.log(program.status.signal, program.status.timedOut);
