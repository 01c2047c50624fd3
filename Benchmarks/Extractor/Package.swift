// swift-tools-version: 6.1

import PackageDescription

// Auricle's part of the comparison of feature extractors; run by `../features.py`.
let package = Package(
  name: "extractor-benchmark",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "auricle", path: "../..")],
  targets: [
    .executableTarget(
      name: "auricle-worker", dependencies: [.product(name: "Auricle", package: "auricle")], path: "Sources")
  ],
  swiftLanguageModes: [.v6]
)
