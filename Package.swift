// swift-tools-version: 6.2

import PackageDescription

/// Elementary functions.
let real = Target.Dependency.product(name: "RealModule", package: "swift-numerics")

// Read from top to bottom, this is the architecture: sound enters at the top, a label leaves at the bottom,
// and a target imports only what stands above it, all of which it declares.
let package = Package(
  name: "auricle",
  platforms: [.macOS(.v15)],
  products: [
    .library(name: "Auricle", targets: ["Auricle"]),
    .executable(name: "auricle", targets: ["AuricleCommand"]),
    // A stage by itself.
    .library(name: "AudioInput", targets: ["AudioInput"]),
    .library(name: "AudioFeatures", targets: ["AudioFeatures"]),
    .library(name: "FeatureFiles", targets: ["FeatureFiles"]),
    .library(name: "Augmentation", targets: ["Augmentation"]),
    .library(name: "SequenceModel", targets: ["SequenceModel"]),
    .library(name: "ModelExchange", targets: ["ModelExchange"]),
    .library(name: "Datasets", targets: ["Datasets"]),
    .library(name: "Training", targets: ["Training"]),
    .library(name: "Detection", targets: ["Detection"]),
    .library(name: "Evaluation", targets: ["Evaluation"]),
    .library(name: "MessagePassing", targets: ["MessagePassing"]),
  ],
  traits: [
    .trait(name: "MPI", description: "Training on many machines by Open MPI or MPICH, which must be installed.")
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-numerics", from: "1.1.1"),
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
    // With the trait MPI; that of another name than Debian's is named by the variable MPI_PKG_CONFIG.
    .systemLibrary(
      name: "CMPI", pkgConfig: Context.environment["MPI_PKG_CONFIG"] ?? "mpi-c",
      providers: [.apt(["libopenmpi-dev"]), .brew(["open-mpi"])]),
    .target(name: "CKernels"),
    .target(name: "CBundledModel", exclude: ["digits.safetensors"]),
    .target(name: "CReportTemplate", exclude: ["events.html", "report.html", "report.css", "report.js"]),

    // The flow.
    .target(name: "AuricleBase", dependencies: [.product(name: "SystemPackage", package: "swift-system"), real]),
    .target(name: "Pictures", dependencies: ["AuricleBase", real]),
    .target(name: "AudioInput", dependencies: ["AuricleBase", "CSndfile", real]),
    .target(name: "AudioFeatures", dependencies: ["AudioInput", "AuricleBase", "CFFTW", "CKernels", real]),
    .target(name: "Augmentation", dependencies: ["AudioFeatures", "AudioInput", "AuricleBase", "CFFTW", real]),
    .target(name: "FeatureFiles", dependencies: ["AudioFeatures", "AuricleBase", "Pictures", real]),
    .target(name: "SequenceModel", dependencies: ["AudioFeatures", "AuricleBase", "CKernels", real]),
    .target(name: "ModelExchange", dependencies: ["AudioFeatures", "AuricleBase", "SequenceModel", real]),
    .target(name: "Datasets", dependencies: ["AudioInput", "AuricleBase"]),
    .target(
      name: "Training", dependencies: ["AudioFeatures", "AuricleBase", "CKernels", "Datasets", "SequenceModel", real]),
    .target(
      name: "MessagePassing",
      dependencies: ["AuricleBase", .target(name: "CMPI", condition: .when(traits: ["MPI"])), "Training"]),
    .target(name: "Detection", dependencies: ["AudioInput", "AuricleBase", real]),
    .target(name: "Evaluation", dependencies: ["AuricleBase", "CReportTemplate", "Pictures", real]),
    .target(
      name: "Auricle",
      dependencies: [
        "AudioFeatures", "AudioInput", "Augmentation", "AuricleBase", "CBundledModel", "Datasets", "Detection",
        "Evaluation", "FeatureFiles", "ModelExchange", "Pictures", "SequenceModel", "Training", real,
      ]),
    .executableTarget(
      name: "AuricleCommand",
      dependencies: [
        "Auricle", "AuricleBase", "MessagePassing", "Pictures",
        .product(name: "ArgumentParser", package: "swift-argument-parser"), real,
      ],
      // Starts in two thirds of the time, and runs where no Swift is installed.
      linkerSettings: [
        .unsafeFlags(
          ["-static-stdlib", "-use-ld=lld", "-l_FoundationCollections", "-l_FoundationCShims"],
          .when(platforms: [.linux], configuration: .release))
      ]),

    // Tests, one target per stage, and what they share.
    .target(name: "TestSupport", dependencies: ["SequenceModel", "Training"], path: "Tests/TestSupport"),
    .testTarget(
      name: "AuricleBaseTests",
      dependencies: ["AuricleBase", .product(name: "SystemPackage", package: "swift-system")]),
    .testTarget(name: "PicturesTests", dependencies: ["AuricleBase", "Pictures"]),
    .testTarget(name: "CKernelsTests", dependencies: ["CKernels"]),
    .testTarget(name: "AudioInputTests", dependencies: ["AudioInput", "AuricleBase", real]),
    .testTarget(
      name: "AudioFeaturesTests", dependencies: ["AudioFeatures", "AudioInput", "CKernels"], exclude: ["Goldens"]),
    .testTarget(
      name: "AugmentationTests", dependencies: ["AudioFeatures", "AudioInput", "Augmentation", "AuricleBase", real]),
    .testTarget(
      name: "FeatureFilesTests", dependencies: ["AudioFeatures", "AuricleBase", "FeatureFiles", "Pictures"],
      exclude: ["Goldens", "interoperability.py"]),
    .testTarget(
      name: "SequenceModelTests", dependencies: ["AudioFeatures", "AuricleBase", "SequenceModel", "TestSupport", real],
      exclude: ["Goldens"]),
    .testTarget(
      name: "ModelExchangeTests",
      dependencies: ["AudioFeatures", "AuricleBase", "ModelExchange", "SequenceModel", "TestSupport"],
      exclude: ["Goldens"]),
    .testTarget(name: "DatasetsTests", dependencies: ["AudioInput", "AuricleBase", "Datasets"]),
    .testTarget(
      name: "TrainingTests",
      dependencies: ["AudioFeatures", "AuricleBase", "SequenceModel", "TestSupport", "Training"],
      exclude: ["Goldens"]),
    .testTarget(name: "DetectionTests", dependencies: ["Detection"], exclude: ["Goldens", "read_back.py"]),
    .testTarget(
      name: "EvaluationTests", dependencies: ["AuricleBase", "Evaluation", "Pictures"],
      exclude: ["Goldens", "browser_test.py"]),
    .testTarget(name: "AuricleTests", dependencies: ["Auricle", "AuricleBase", "TestSupport", real]),
    .testTarget(name: "AuricleCommandTests", dependencies: ["Auricle", "AuricleBase", "AuricleCommand"]),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .gnu17
)

// What a file uses, it imports.
for target in package.targets where [.regular, .executable, .test].contains(target.type) {
  target.swiftSettings = [.enableUpcomingFeature("MemberImportVisibility")]
}
