// swift-tools-version: 6.2

import PackageDescription

let package = Package(
  name: "classify-example",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "auricle", path: "../..")],
  targets: [
    .executableTarget(name: "classify", dependencies: [.product(name: "Auricle", package: "auricle")], path: "Sources")
  ],
  swiftLanguageModes: [.v6]
)
