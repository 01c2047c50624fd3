import Auricle

extension Detect {
  /// A row for each file of a list, with its events.
  func runBatch(_ detector: SoundDetector) async throws {
    let answers = try ListDetector(detector, shard: batch.chosenShard(), isMarked: output != nil)
    let run = BatchRun(
      options: batch, failureOptions: failureOptions, jobs: jobOptions.jobs, output: output,
      model: answers.fingerprint)
    if run.isFinished() { return }
    try await run.run(files) { files, _ in await answers.rows(for: files) }
  }
}
