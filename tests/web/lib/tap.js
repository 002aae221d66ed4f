/* TAP results, and waiting for a condition with a deadline. */
let count = 0;
let failures = 0;

export function check(isGood, name, ...remarks) {
  count++;
  if (!isGood) failures++;
  console.log(`${isGood ? 'ok' : 'not ok'} ${count} - ${name}`);
  for (const remark of remarks.flat()) console.log(`# ${String(remark).replaceAll('\n', '\n# ')}`);
}

export function finish() {
  console.log(`1..${count}`);
  return failures ? 1 : 0;
}

/* The first true value, or the last false one at the deadline. */
export async function waitFor(condition, deadline_s = 30, every_ms = 50) {
  const end = performance.now() + deadline_s * 1000;
  for (;;) {
    const value = await condition();
    if (value || performance.now() > end) return value;
    await new Promise((resolve) => setTimeout(resolve, every_ms));
  }
}

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
