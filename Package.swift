// swift-tools-version: 6.2

import PackageDescription

// Read from top to bottom, this is the architecture: sound enters at the top, a label leaves at the bottom,
// and a target imports only what stands above it.
let package = Package(
  name: "auricle",
  platforms: [.macOS(.v15)],
  products: [
    .library(name: "Auricle", targets: ["Auricle"]),
    .executable(name: "auricle", targets: ["AuricleCommand"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
  ],
  targets: [
    // System libraries and C.
    .systemLibrary(
      name: "CSndfile", pkgConfig: "sndfile",
      providers: [.apt(["libsndfile1-dev"]), .brew(["libsndfile"])]),
    .systemLibrary(
      name: "CFFTW", pkgConfig: "fftw3f",
      providers: [.apt(["libfftw3-dev"]), .brew(["fftw"])]),
    .target(name: "CKernels"),
    .target(name: "CBundledModel", exclude: ["digits.safetensors"]),
    .target(name: "CReportTemplate", exclude: ["report.html", "report.css", "report.js"]),

    // The flow.
    .target(name: "AuricleBase", dependencies: [.product(name: "SystemPackage", package: "swift-system")]),
    .target(name: "Pictures", dependencies: ["AuricleBase"]),
    .target(name: "AudioInput", dependencies: ["AuricleBase", "CSndfile"]),
    .target(name: "AudioFeatures", dependencies: ["AudioInput", "CFFTW", "CKernels"]),
    .target(name: "Augmentation", dependencies: ["AudioFeatures"]),
    .target(name: "FeatureFiles", dependencies: ["AudioFeatures", "Pictures"]),
    .target(name: "SequenceModel", dependencies: ["AudioFeatures", "CKernels"]),
    .target(name: "ModelExchange", dependencies: ["SequenceModel"]),
    .target(name: "Datasets", dependencies: ["AudioInput"]),
    .target(name: "Training", dependencies: ["SequenceModel", "Datasets", "CKernels"]),
    .target(name: "Detection", dependencies: ["AuricleBase", "AudioInput"]),
    .target(name: "Evaluation", dependencies: ["Pictures", "CReportTemplate"]),
    .target(
      name: "Auricle",
      dependencies: ["Augmentation", "Training", "Evaluation", "FeatureFiles", "ModelExchange", "CBundledModel"]),
    .executableTarget(
      name: "AuricleCommand",
      dependencies: ["Auricle", .product(name: "ArgumentParser", package: "swift-argument-parser")]),

    // Tests, one target per stage, and what they share.
    .target(name: "TestSupport", dependencies: ["SequenceModel"], path: "Tests/TestSupport"),
    .testTarget(name: "AuricleBaseTests", dependencies: ["AuricleBase"]),
    .testTarget(name: "PicturesTests", dependencies: ["Pictures"]),
    .testTarget(name: "CKernelsTests", dependencies: ["CKernels"]),
    .testTarget(name: "AudioInputTests", dependencies: ["AudioInput"]),
    .testTarget(name: "AudioFeaturesTests", dependencies: ["AudioFeatures", "CKernels"], exclude: ["Goldens"]),
    .testTarget(name: "AugmentationTests", dependencies: ["Augmentation"]),
    .testTarget(
      name: "FeatureFilesTests", dependencies: ["FeatureFiles"], exclude: ["Goldens", "interoperability.py"]),
    .testTarget(name: "SequenceModelTests", dependencies: ["SequenceModel", "TestSupport"], exclude: ["Goldens"]),
    .testTarget(name: "ModelExchangeTests", dependencies: ["ModelExchange", "TestSupport"]),
    .testTarget(name: "DatasetsTests", dependencies: ["Datasets"]),
    .testTarget(name: "TrainingTests", dependencies: ["Training", "TestSupport"], exclude: ["Goldens"]),
    .testTarget(name: "DetectionTests", dependencies: ["Detection"], exclude: ["Goldens", "read_back.py"]),
    .testTarget(name: "EvaluationTests", dependencies: ["Evaluation"], exclude: ["Goldens", "browser_test.py"]),
    .testTarget(name: "AuricleTests", dependencies: ["Auricle", "AuricleBase"]),
    .testTarget(name: "AuricleCommandTests", dependencies: ["AuricleCommand"]),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .gnu17
)
