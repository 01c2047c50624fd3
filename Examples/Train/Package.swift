// swift-tools-version: 6.2

import PackageDescription

let package = Package(
  name: "train-example",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "auricle", path: "../..")],
  targets: [
    .executableTarget(name: "train", dependencies: [.product(name: "Auricle", package: "auricle")], path: "Sources")
  ],
  swiftLanguageModes: [.v6]
)
