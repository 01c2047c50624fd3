// swift-tools-version: 6.2

import PackageDescription

// A package of its own: run.sh builds it with sanitizers and libFuzzer. See Robustness.md in Sources/Auricle/Auricle.docc.
let package = Package(
  name: "fuzzing",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "auricle", path: "../..")],
  targets: [
    .executableTarget(name: "Fuzz", dependencies: [.product(name: "Auricle", package: "auricle")], path: "Sources")
  ],
  swiftLanguageModes: [.v6]
)
