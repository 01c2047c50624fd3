import AuricleBase

/// The hidden file beside features that says which configuration they have: the one in JSON, and, where it leaves the
/// sample rate to each sound, the rates that sounds had.
package struct FeatureNote: Sendable {
  /// Of the extraction; it may name no sample rate.
  package var recipe: JSONValue
  /// In rising order.
  package var sampleRates: [Int]

  private static let ratesName = "sampleRates"

  package init(recipe: JSONValue, sampleRates: [Int] = []) {
    (self.recipe, self.sampleRates) = (recipe, sampleRates)
  }

  /// Beside an archive, or in a folder.
  package static func path(for features: String) -> String {
    if FileAccess.isFolder(features) { return "\(features)/.features.json" }
    let name = features.split(separator: "/").last.map { String($0) } ?? features
    let folder = features.dropLast(name.count)
    let format = FeatureFileFormat(endingOf: name)
    if format?.isArchive == true { return "\(folder).\(name).json" }
    // A script of Kaldi's belongs to the archive of its name; a file of one sound to its folder.
    return name.hasSuffix(".scp") ? "\(folder).\(name.dropLast(4)).ark.json" : "\(folder).features.json"
  }

  /// What the note at `path` says; nil where there is none that can be read.
  package init?(at path: String) {
    guard let bytes = try? FileAccess.read(path, limit: 1 << 20),
      let json = try? JSONValue(json: String(decoding: bytes, as: UTF8.self)), case .object(var members) = json
    else { return nil }
    sampleRates = []
    if case .array(let rates)? = members.removeValue(forKey: FeatureNote.ratesName) {
      sampleRates = rates.compactMap { if case .integer(let rate) = $0 { Int(exactly: rate) } else { nil } }
    }
    recipe = .object(members)
  }

  package func write(to path: String) throws {
    var json = recipe
    if !sampleRates.isEmpty { json[FeatureNote.ratesName] = .array(sampleRates.map { .integer(Int64($0)) }) }
    try FileAccess.writeAtomically(json.json + "\n", to: path)
  }

  /// The configuration of all features; nil where sounds had several rates, or it cannot be read.
  package var configuration: FeatureConfiguration? {
    guard recipe["sampleRate"] != nil || sampleRates.count == 1, let json = try? recipe.json else { return nil }
    return try? FeatureConfiguration(json: json, sampleRate: sampleRates.first)
  }
}
