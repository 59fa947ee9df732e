// A program that is asked and answers, line by line, and does not outlive this process.
import { popen } from '@octoipc/popen';

const calculator = popen('while read a b; do echo $((a + b)); done', 'r+', {
  dieWithParent: true,
});
const answers = calculator.lines();
for (const question of ['1 2', '30 12', '7 -7']) {
  await calculator.write(`${question}\n`);
  console.log(`${question} -> ${(await answers.next()).value}`);
}
const { code } = await calculator.close();
console.log(`ended with ${code}`);
