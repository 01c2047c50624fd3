import Auricle
import Foundation

private let repository = #filePath.replacing("/Tests/Fuzzing/Sources/Seeds.swift", with: "")

/// Writes the corpus that each target begins with, in a folder of its name: the fixtures, and what Auricle writes itself.
func writeSeeds(to folder: String) throws {
  func add(_ target: String, _ name: String, _ bytes: some Collection<UInt8>) throws {
    try FileAccess.makeFolder("\(folder)/\(target)")
    try FileAccess.writeAtomically(Array(bytes), to: "\(folder)/\(target)/\(name)")
  }
  let audio = "\(repository)/Fixtures/audio"
  for name in try FileManager.default.contentsOfDirectory(atPath: audio) {
    try add("audio", name, FileAccess.read("\(audio)/\(name)").prefix(20_000))
  }

  let features = FeatureConfiguration.speech(sampleRate: 8000)
  for cell in Recurrent.Cell.allCases {
    let (bytes, _) = try smallModel(cell, features)
    try add("model", cell.rawValue, bytes)
  }
  var (_, model) = try smallModel(.gru, features, [Convolution(filters: 2, frames: 3, bins: 3)])
  try add("model", "convolution", ClassifierEnsemble(model).fileBytes())
  try add("model", "two", ClassifierEnsemble(members: [model, smallModel(.gru, features).model]).fileBytes())
  var global = features
  global.normalization = .global
  (_, model) = try smallModel(.lstm, global)
  try add("model", "global", ClassifierEnsemble(model).fileBytes())

  let manifests = [
    "path,label,split,speaker\na.wav,one,train,\"ann, b\"\r\nb.wav,two,validation,\n\"c\"\"d.wav\",one,test,x\n",
    "path\tlabel\na.wav\tone\nb.wav\ttwo\n",
    "{\"audio_filepath\": \"a.wav\", \"label\": \"one\"}\n{\"path\": \"b.wav\", \"label\": 2, \"split\": \"dev\"}\n",
  ]
  for (index, text) in manifests.enumerated() {
    try add("manifest", "\(index)", [UInt8(index)] + text.utf8)
    try add("manifest", "\(index)-mark", [UInt8(index), 0xEF, 0xBB, 0xBF] + text.utf8)
  }

  let predictions = [
    Prediction(
      path: "a \"quoted\", odd\nname.wav", truth: "one", label: "two", probability: 0.75,
      probabilities: [.init(label: "one", probability: 0.25), .init(label: "two", probability: 0.75)], duration: 1.5,
      sampleRate: 8000, seconds: 0.001, model: "0123456789abcdef", fields: ["speaker": "ann"]),
    Prediction(path: "b.wav", truth: "two", error: "b.wav: no such file"),
  ]
  for (index, ending) in ["csv", "jsonl"].enumerated() {
    let path = "\(scratch)/seed.\(ending)"
    let writer = try PredictionWriter(to: path, labels: ["one", "two"], fields: ["speaker"])
    for prediction in predictions { try writer.write(prediction) }
    try add("predictions", ending, [UInt8(index)] + FileAccess.read(path))
  }

  for (index, format) in [FeatureFileFormat.npz, .ark, .npy, .csv, .htk].enumerated() {
    let path = "\(scratch)/seed.\(format.rawValue)"
    let encoding = FeatureEncoding(format, of: features)
    let rows = try FeatureMatrix(
      frames: 3, coefficients: features.coefficientCount,
      values: .init(repeating: 1, count: 3 * features.coefficientCount))
    var bytes = encoding.header(frames: 3)
    encoding.encode(rows, into: &bytes)
    if format.isArchive {
      _ = try append("seed", to: path, format)
      bytes = try FileAccess.read(path)
    }
    try add("features", format.rawValue, [UInt8(2 * index)] + bytes)
    try add("features", "\(format.rawValue)-part", [UInt8(2 * index + 1)] + bytes)
  }

  let texts = ["{label}_{speaker}_{index}", "index<10", "strong,noise=0", model.configuration.json]
  for (index, text) in texts.enumerated() { try add("configuration", "text-\(index)", [UInt8(index)] + text.utf8) }
  for preset in FeatureConfiguration.Preset.allCases {
    try add(
      "configuration", preset.rawValue, [4] + "{\"preset\": \"\(preset.rawValue)\", \"mel\": {\"count\": 30}}".utf8)
  }
  try add("configuration", "all", [4] + features.json.utf8)
}

private func smallModel(
  _ cell: Recurrent.Cell, _ features: FeatureConfiguration, _ convolutions: [Convolution] = []
) throws -> (bytes: [UInt8], model: SequenceClassifier) {
  let configuration = try NetworkConfiguration(
    input: features.coefficientCount,
    convolutions.map { .convolution($0) } + [
      .recurrent(cell, units: 2, directions: 2), .pooling(.attention()), .dense(2),
    ])
  let size = configuration.input
  let model = try SequenceClassifier(
    configuration: configuration, features: features, labels: ["one", "two"],
    normalizer: features.normalization == .global
      ? FeatureNormalizer(
        mean: .init(repeating: 0, count: size), standardDeviation: .init(repeating: 1, count: size)) : nil,
    parameters: ParameterLayout(configuration).initialParameters(seed: 1))
  return (try ClassifierEnsemble(model).fileBytes(), model)
}
