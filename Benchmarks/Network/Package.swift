// swift-tools-version: 6.1

import PackageDescription

// Auricle's part of the comparison of recurrent layers; run by `compare.py`.
let package = Package(
  name: "network-benchmark",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "auricle", path: "../..")],
  targets: [
    .executableTarget(
      name: "auricle-worker", dependencies: [.product(name: "Auricle", package: "auricle")], path: "Sources")
  ],
  swiftLanguageModes: [.v6]
)
