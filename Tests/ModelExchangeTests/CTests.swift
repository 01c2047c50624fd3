import AudioFeatures
import Foundation
import SequenceModel
import Testing

@testable import ModelExchange

/// What compilers make of these files, in every kind of network and feature, is checked by
/// `Tests/Interoperability/c_check.py`.
@Suite("Models as C")
struct CTests {
  private func source(
    _ members: [SequenceClassifier], _ input: CExporter.Input = .features, precision: CExporter.Precision = .float32,
    name: String = "model", seconds: Double = 1
  ) throws -> (header: String, source: String) {
    let files = try CExporter(
      ClassifierEnsemble(members: members), name: name, input: input, precision: precision, seconds: seconds
    ).files()
    return (String(decoding: files.header, as: UTF8.self), String(decoding: files.source, as: UTF8.self))
  }

  /// Compiled by the system's C compiler, if there is one; the answers to `frames`, whole and frame by frame.
  private func run(
    _ files: (header: String, source: String), _ frames: [FeatureMatrix], calls: String = ""
  ) throws -> [[Float]]? {
    let compiler = ["/usr/bin/cc", "/usr/bin/gcc", "/usr/bin/clang"].first {
      FileManager.default.isExecutableFile(atPath: $0)
    }
    guard let compiler else { return nil }
    let folder = FileManager.default.temporaryDirectory.appending(path: "auricle-\(UInt64.random(in: 0...UInt64.max))")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let arrays = frames.enumerated().map { index, frames in
      "static const float x\(index)[] = {\(frames.values.map { "\($0)f" }.joined(separator: ","))};"
    }.joined(separator: "\n")
    let runs = frames.enumerated().map { "run(x\($0), \($1.frames));" }.joined(separator: "\n  ")
    let main = """
      #include <stdio.h>
      #include "model.h"
      \(arrays)
      static model_stream s;
      static void write(int status, const float *p) {
        int i;
        printf("%d", status);
        for (i = 0; i < MODEL_CLASSES; i++) printf(" %.9g", (double)p[i]);
        printf("\\n");
      }
      static void run(const float *x, size_t count) {
        float p[MODEL_CLASSES];
        size_t i;
        write(model_classify(&s, x, count, p), p);
        model_begin(&s);
        for (i = 0; i < count; i++) model_feed(&s, x + i * MODEL_WIDTH, 1);
        write(model_finish(&s, p), p);
      }
      int main(void) {
        \(runs)
        return 0;
      }
      """
    for (name, text) in [("model.h", files.header), ("model.c", files.source), ("main.c", main)] {
      try Data(text.utf8).write(to: folder.appending(path: name))
    }
    let program = folder.appending(path: "run").path
    let build = Process()
    build.executableURL = URL(filePath: compiler)
    build.arguments =
      ["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-o", program]
      + ["model.c", "main.c"].map { folder.appending(path: $0).path } + ["-lm"]
    try build.run()
    build.waitUntilExit()
    #expect(build.terminationStatus == 0)
    let (process, pipe) = (Process(), Pipe())
    process.executableURL = URL(filePath: program)
    process.standardOutput = pipe
    try process.run()
    let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return output.split(separator: "\n").map { line in
      let numbers = line.split(separator: " ")
      #expect(numbers.first == "0")
      return numbers.dropFirst().compactMap { Float($0) }
    }
  }

  private static let small = Networks.all.keys.filter { $0.hasSuffix("layers.json") }.sorted()

  @Test("every kind of layer gives Auricle's probabilities in C, whole and frame by frame", arguments: small)
  func answers(_ name: String) throws {
    let layers = try #require(Networks.all[name])
    let model = try Networks.classifier(layers)
    let frames = [1, 2, 9, 30].map { count in
      FeatureMatrix(coefficients: 6, values: (0..<6 * count).map { Float(($0 * 37) % 23) / 11 - 1 })
    }
    guard let found = try run(source([model]), frames) else { return }
    let wanted = try model.probabilities(of: frames)
    #expect(found.count == 2 * frames.count)
    for (index, answer) in found.enumerated() {
      #expect(answer.count == 3)
      for (a, b) in zip(answer, wanted[index / 2]) { #expect(abs(a - b) < 1e-5) }
    }
  }

  @Test("with int8 weights answers are near, and the weights a quarter as large")
  func eightBits() throws {
    let model = try Networks.classifier([.recurrent(.gru, units: 64), .pooling(.mean), .dense(32, .relu)])
    let frames = [FeatureMatrix(coefficients: 6, values: (0..<180).map { Float(($0 * 37) % 23) / 11 - 1 })]
    let files = try source([model], precision: .int8)
    #expect(constants(files.header) * 3 < (try constants(source([model]).header)))
    guard let found = try run(files, frames) else { return }
    for (a, b) in zip(found[0], try model.probabilities(of: frames)[0]) { #expect(abs(a - b) < 0.01) }
  }

  private func constants(_ header: String) -> Int {
    header.firstMatch(of: #/Flash: (\d+) bytes/#).flatMap { Int($0.1) } ?? 0
  }

  @Test("an ensemble answers with the mean of its members")
  func ensembles() throws {
    let members = try [
      Networks.classifier([.recurrent(.gru, units: 4), .pooling(.last)]),
      Networks.classifier([.convolution(filters: 4, frames: 3), .pooling(.attention(heads: 2))]),
    ]
    let frames = [FeatureMatrix(coefficients: 6, values: (0..<60).map { Float(($0 * 37) % 23) / 11 - 1 })]
    guard let found = try run(source(members), frames) else { return }
    for (a, b) in zip(found[0], try ClassifierEnsemble(members: members).probabilities(of: frames)[0]) {
      #expect(abs(a - b) < 1e-5)
    }
  }

  @Test("the same model gives the same text; names begin with letters; labels may hold anything")
  func text() throws {
    let model = try Networks.classifier([.pooling(.mean)])
    let files = try source([model], .samples, name: "7 words")
    #expect(files == (try source([model], .samples, name: "7 words")))
    #expect(files.header.contains("model_7_words_classify"))
    let odd = try SequenceClassifier(
      configuration: model.configuration, input: model.input, labels: ["\"", "a\\??/", "ü\n"],
      parameters: model.parameters)
    #expect(try source([odd]).source.contains(#"  "\"",\#n  "a\\\?\?/",\#n  "\303\274\012"\#n"#))
  }

  @Test("only networks that need no end can be asked at any time")
  func now() throws {
    #expect(try source([Networks.classifier([.recurrent(.gru, units: 4), .pooling(.last)])]).header.contains("_now("))
    let both = try Networks.classifier([.recurrent(.gru, units: 4, directions: 2), .pooling(.last)])
    #expect(!(try source([both]).header.contains("_now(")))
  }

  @Test("what C does not compute is refused with the reason")
  func refusals() throws {
    var features = FeatureConfiguration.kaldi(sampleRate: 8_000)
    features.dither.amount = 1
    let model = try Networks.classifier([.pooling(.mean)], .audio(features))
    let error = #expect(throws: ModelExchangeError.self) { _ = try source([model], .samples) }
    #expect(error?.description.contains("dither") == true)
    let other = try Networks.classifier([.pooling(.mean)], .sequence(width: 4))
    #expect(throws: ModelExchangeError.notForSound) { _ = try source([other], .samples) }
    #expect(throws: ModelExchangeError.self) { _ = try source([other], seconds: -1) }
  }
}
