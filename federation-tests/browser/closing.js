// What is printed? One line for each part of the story, every problem with its place, and a closing line.
export default class Closing {
  onStepEnd(_test, _result, step) {
    if (step.category !== 'test.step') return;
    const failed = step.error ? 'FAIL' : 'ok  ';
    process.stdout.write(`${failed}  ${(step.duration / 1000).toFixed(1).padStart(5)} s  ${step.title}\n`);
  }

  onStdErr(chunk) {
    process.stderr.write(chunk);
  }

  onTestEnd(test, result) {
    this.looks = test.annotations.concat(result.annotations ?? []).find(({ type }) => type === 'looks')?.description ?? '';
    for (const error of result.errors) process.stdout.write(`\n${error.message ?? error.value}\n${error.snippet ?? ''}\n`);
    this.problems = result.errors.length;
  }

  onError(error) {
    process.stdout.write(`\n${error.message ?? error.value}\n`);
  }

  onEnd(result) {
    const end = result.status === 'passed' ? 'passed' : `FAILED (${result.status}, ${this.problems ?? 0} problems)`;
    process.stdout.write(`browser story ${end}: ${this.looks ?? ''}${(result.duration / 1000).toFixed(0)} s\n`);
  }
}
