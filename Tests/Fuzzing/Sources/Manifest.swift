import Auricle

/// A manifest of any bytes is an error that names it, or files that have what they must. The first byte says which format.
@Sendable func fuzzManifest(_ bytes: [UInt8]) throws {
  let ending = ["csv", "tsv", "jsonl"][Int(bytes.first ?? 0) % 3]
  let path = try write(bytes.dropFirst(), to: "manifest.\(ending)")
  do throws(DatasetError) {
    let dataset = try Dataset(at: path)
    check(!dataset.examples.isEmpty, "no example and no error")
    check(dataset.examples.allSatisfy { !$0.path.isEmpty && !$0.label.isEmpty }, "an example without path or label")
    check(Set(dataset.examples.map(\.identity)).count == dataset.examples.count, "a sound twice")
    check(Set(dataset.examples.map(\.label)) == Set(dataset.labels), "labels that no example has")
    if let split = try? dataset.split(validation: .fraction(0.3), seed: 1) {
      let rest = dataset.examples.filter { $0.split == .testing }
      check(split.training.count + split.validation.count + rest.count == dataset.examples.count, "a split loses files")
    }
  } catch {
    check(error.description.hasPrefix(path), "the error does not name the manifest: \(error)")
  }
  do throws(DatasetError) {
    let corpus = try Corpus(paths: [path])
    check(Set(corpus.files.map(\.name)).count == corpus.files.count, "a name twice")
    for file in corpus.files {
      let output = "\(file.name).npy"
      let parts = output.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
      check(parts.first?.isEmpty == false && !parts.contains { $0.elementsEqual("..".utf8) }, "a name leads out")
    }
  } catch {
    if case .sameName = error { return }
    check(error.description.hasPrefix(path), "the error does not name the manifest: \(error)")
  }
}
