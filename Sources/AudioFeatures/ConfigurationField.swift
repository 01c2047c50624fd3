/// A part of a configuration that is a JSON object: a table of its fields says how it is read and written.
protocol ConfigurationObject {
  static var fields: [ConfigurationField<Self>] { get }
}

/// One member of a JSON object: its name, and how it is read into a field and written from it.
struct ConfigurationField<Object> {
  let name: String
  /// Leaves the field alone where the member is missing. The last argument is the object's own path.
  let read: (inout Object, KeyedDecodingContainer<Member>, String) throws -> Void
  let write: (Object, inout KeyedEncodingContainer<Member>) throws -> Void

  /// A number, a flag or a name.
  static func value<Value: ConfigurationValue>(_ name: String, _ field: WritableKeyPath<Object, Value>) -> Self {
    Self(name: name) { object, members, path in
      if let value = try members.value(Value.self, name, path) { object[keyPath: field] = value }
    } write: { object, members in
      try members.encode(object[keyPath: field], forKey: Member(name))
    }
  }

  /// A value that may also be null.
  static func optional<Value: ConfigurationValue>(_ name: String, _ field: WritableKeyPath<Object, Value?>) -> Self {
    Self(name: name) { object, members, path in
      if members.contains(Member(name)), try members.decodeNil(forKey: Member(name)) {
        object[keyPath: field] = nil
      } else if let value = try members.value(Value.self, name, path, orNull: true) {
        object[keyPath: field] = value
      }
    } write: { object, members in
      try members.encode(object[keyPath: field], forKey: Member(name))
    }
  }

  static func object<Value: ConfigurationObject>(_ name: String, _ field: WritableKeyPath<Object, Value>) -> Self {
    Self(name: name) { object, members, path in
      guard members.contains(Member(name)) else { return }
      guard let inner = try? members.nestedContainer(keyedBy: Member.self, forKey: Member(name)) else {
        throw FeatureError.configuration("'\(path)\(name)' must be an object")
      }
      try object[keyPath: field].read(inner, path: "\(path)\(name).")
    } write: { object, members in
      var inner = members.nestedContainer(keyedBy: Member.self, forKey: Member(name))
      try object[keyPath: field].write(&inner)
    }
  }

  /// An object that may also be null, and is left out where it is; what is missing of it is as in `standard`.
  static func optionalObject<Value: ConfigurationObject>(
    _ name: String, _ field: WritableKeyPath<Object, Value?>, standard: Value
  ) -> Self {
    Self(name: name) { object, members, path in
      guard members.contains(Member(name)) else { return }
      if try members.decodeNil(forKey: Member(name)) {
        object[keyPath: field] = nil
        return
      }
      guard let inner = try? members.nestedContainer(keyedBy: Member.self, forKey: Member(name)) else {
        throw FeatureError.configuration("'\(path)\(name)' must be an object or null")
      }
      var value = object[keyPath: field] ?? standard
      try value.read(inner, path: "\(path)\(name).")
      object[keyPath: field] = value
    } write: { object, members in
      guard let value = object[keyPath: field] else { return }
      var inner = members.nestedContainer(keyedBy: Member.self, forKey: Member(name))
      try value.write(&inner)
    }
  }
}

extension ConfigurationField<FeatureConfiguration> {
  /// A number of samples, or text in milliseconds such as "25 ms", which is rounded down to whole samples.
  static func length(_ name: String, _ field: WritableKeyPath<FeatureConfiguration, Int>) -> Self {
    Self(name: name) { object, members, path in
      guard let text = try? members.decode(String.self, forKey: Member(name)) else {
        if let samples = try members.value(Int.self, name, path, wanted: "a number of samples or text like \"25 ms\"") {
          object[keyPath: field] = samples
        }
        return
      }
      guard text.hasSuffix("ms"), let time = Double(text.dropLast(2).filter { $0 != " " }), (0...1e9).contains(time)
      else {
        throw FeatureError.configuration(
          "'\(path)\(name)' is \"\(text)\"; it must be a number of samples or text like \"25 ms\"")
      }
      // The nudge keeps 0.1 ms at 10 kHz, which is not exact in binary, one sample.
      object[keyPath: field] = Int(time * Double(object.sampleRate) / 1000 + 1e-6)
    } write: { object, members in
      try members.encode(object[keyPath: field], forKey: Member(name))
    }
  }
}

extension ConfigurationObject {
  mutating func read(
    _ members: KeyedDecodingContainer<Member>, path: String, ignoring ignored: [String] = []
  ) throws {
    let fields = Self.fields
    let names = fields.map(\.name)
    if let unknown = members.allKeys.map(\.stringValue).filter({ !names.contains($0) && !ignored.contains($0) }).min() {
      throw FeatureError.configuration(
        "there is no field '\(path)\(unknown)'; there are \(names.joined(separator: ", "))")
    }
    for field in fields { try field.read(&self, members, path) }
  }

  func write(_ members: inout KeyedEncodingContainer<Member>) throws {
    for field in Self.fields { try field.write(self, &members) }
  }
}

/// The name of a member of a JSON object.
struct Member: CodingKey, ExpressibleByStringLiteral {
  let stringValue: String
  var intValue: Int? { nil }

  init(_ name: String) { stringValue = name }
  init(stringLiteral name: String) { stringValue = name }
  init(stringValue: String) { self.stringValue = stringValue }
  init?(intValue: Int) { nil }
}

/// What a field can hold, and the words for it.
protocol ConfigurationValue: Codable {
  static var wanted: String { get }
}

extension Int: ConfigurationValue {
  static var wanted: String { "a whole number" }
}
extension UInt64: ConfigurationValue {
  static var wanted: String { "a whole number, not negative" }
}
extension Double: ConfigurationValue {
  static var wanted: String { "a number" }
}
extension Bool: ConfigurationValue {
  static var wanted: String { "true or false" }
}
extension ConfigurationValue where Self: CaseIterable & RawRepresentable<String> {
  static var wanted: String {
    let names = allCases.map(\.rawValue)
    return names.count == 1 ? names[0] : names.dropLast().joined(separator: ", ") + " or \(names[names.count - 1])"
  }
}
extension FeatureConfiguration.Preset: ConfigurationValue {}
extension FeatureConfiguration.Kind: ConfigurationValue {}
extension FeatureConfiguration.Framing: ConfigurationValue {}
extension FeatureConfiguration.InputScale: ConfigurationValue {}
extension FeatureConfiguration.Window.Shape: ConfigurationValue {}
extension FeatureConfiguration.PreEmphasis.Scope: ConfigurationValue {}
extension FeatureConfiguration.PreEmphasis.FirstSample: ConfigurationValue {}
extension FeatureConfiguration.SpectrumNormalization: ConfigurationValue {}
extension FeatureConfiguration.MelFilterbank.Scale: ConfigurationValue {}
extension FeatureConfiguration.MelFilterbank.Edges: ConfigurationValue {}
extension FeatureConfiguration.MelFilterbank.Normalization: ConfigurationValue {}
extension FeatureConfiguration.MelFilterbank.EmptyFilters: ConfigurationValue {}
extension FeatureConfiguration.Logarithm.Unit: ConfigurationValue {}
extension FeatureConfiguration.Cepstrum.Normalization: ConfigurationValue {}
extension FeatureConfiguration.Cepstrum.LifterConvention: ConfigurationValue {}
extension FeatureConfiguration.Cepstrum.Energy: ConfigurationValue {}
extension FeatureConfiguration.Cepstrum.ZerothPosition: ConfigurationValue {}
extension FeatureConfiguration.Deltas.Method: ConfigurationValue {}
extension FeatureConfiguration.Normalization: ConfigurationValue {}

extension KeyedDecodingContainer<Member> {
  /// The member's value; nil where it is missing. Throws `FeatureError.configuration`, naming it, for any other value.
  func value<Value: ConfigurationValue>(
    _ type: Value.Type, _ name: String, _ path: String, wanted: String = Value.wanted, orNull: Bool = false
  ) throws(FeatureError) -> Value? {
    let key = Member(name)
    guard contains(key) else { return nil }
    if let value = try? decode(type, forKey: key) { return value }
    let found =
      if let text = try? decode(String.self, forKey: key) {
        "\"\(text)\""
      } else if let flag = try? decode(Bool.self, forKey: key) {
        "\(flag)"
      } else if let number = try? decode(Double.self, forKey: key) {
        "\(number)"
      } else if (try? decodeNil(forKey: key)) == true { "null" } else { "an object or a list" }
    throw .configuration("'\(path)\(name)' is \(found); it must be \(wanted)\(orNull ? " or null" : "")")
  }
}
