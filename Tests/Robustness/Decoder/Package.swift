// swift-tools-version: 6.2

import PackageDescription

// Decodes files as Auricle does, for `decoding_oracle.py`. A package of its own, so that no product of Auricle holds it.
let package = Package(
  name: "decoder",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "auricle", path: "../../..")],
  targets: [
    .executableTarget(
      name: "decoder", dependencies: [.product(name: "AudioInput", package: "auricle")], path: "Sources")
  ],
  swiftLanguageModes: [.v6]
)
