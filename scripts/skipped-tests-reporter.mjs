/** A vitest reporter that names every test that did not run, with the reason it gave. */
export default class SkippedTestsReporter {
  #filtered = false;

  onInit(vitest) {
    // With `-t` most tests are left out because somebody asked for it.
    this.#filtered = vitest.config.testNamePattern !== undefined;
  }

  onTestRunEnd(modules) {
    if (this.#filtered) return;
    for (const module of modules) {
      for (const test of module.children.allTests("skipped")) {
        const reason = test.result().note ?? (test.options.mode === "todo" ? "to be written" : "no reason given");
        console.log(`SKIPPED ${module.relativeModuleId} > ${test.fullName}: ${reason}`);
      }
    }
  }
}
