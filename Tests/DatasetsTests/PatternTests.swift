import Datasets
import Testing

@Suite struct PatternTests {
  @Test(
    "a pattern takes what its names stand for",
    arguments: [
      ("{label}_{speaker}_{index}", "7_theo_12.wav", ["label": "7", "speaker": "theo", "index": "12"]),
      ("{label}_{rest}", "a_b_c.wav", ["label": "a", "rest": "b_c"]),
      ("{label}_*", "x/yes_1.tar.wav", ["label": "yes"]),
      ("*_{label}", "1_yes.wav", ["label": "yes"]),
      ("{speaker}/{label}_*", "ann/yes_1.wav", ["speaker": "ann", "label": "yes"]),
      ("*/{label}/*", "deep/er/yes/1.wav", ["label": "er"]),
      ("{label}_*.wav", "yes_1.wav", ["label": "yes"]),
      ("take {n}.{label}", "take 2.no", ["n": "2", "label": "no"]),
      ("{a}{b}", "né.wav", ["a": "n", "b": "é"]),
      (
        "{actor:2}{text:3}{label:1}{version}", "03a01Fa.wav",
        ["actor": "03", "text": "a01", "label": "F", "version": "a"]
      ),
    ])
  func matches(pattern: String, path: String, expected: [String: String]) throws {
    // The extension of "take 2.no" is "no": it is dropped before matching unless a further one follows.
    let path = path == "take 2.no" ? path + ".wav" : path
    #expect(try LabelPattern(pattern).fields(of: path) == expected)
  }

  @Test(
    "a pattern that does not fit gives nothing",
    arguments: [
      ("{label}_{speaker}", "seven.wav"), ("{label}_{speaker}", "_theo.wav"), ("x{label}", "yes.wav"),
      ("{label}x", "yes.wav"), ("{a}/{label}", "x/y/z.wav"), ("{a}/{label}", "z.wav"), ("{label}.flac", "yes.wav"),
      ("{label:2}", "yes.wav"), ("{label:4}", "yes.wav"),
    ])
  func mismatches(pattern: String, path: String) throws {
    #expect(try LabelPattern(pattern).fields(of: path) == nil)
  }

  @Test("many stars on a long name come to an end")
  func manyStars() throws {
    let pattern = try LabelPattern("{label}" + String(repeating: "*a", count: 30) + "b")
    #expect(pattern.fields(of: String(repeating: "a", count: 250)) == nil)
  }

  @Test(
    "a pattern that cannot be meant is refused",
    arguments: [
      ("{label", "a '{' is never closed"), ("label}", "a '}' has no '{' before it"),
      ("{}_x", "'{}' is not a name of letters, digits, '_' and '-'"), ("{a}_{a}", "'{a}' stands in it twice"),
      ("{a b}", "'{a b}' is not a name of letters, digits, '_' and '-'"), ("*", "no name in braces"), ("", "no name"),
      ("{a:0}", "'{a:0}': a number of characters, 1 to 1000, must follow the ':'"), ("{a:x}", "'{a:x}': a number"),
    ])
  func refused(pattern: String, reason: String) {
    #expect(sentence { _ = try LabelPattern(pattern) }.hasPrefix("label pattern '\(pattern)': \(reason)"))
  }

  @Test(
    "conditions compare numbers as numbers and text as text",
    arguments: [
      ("index<10", true), ("index < 9", false), ("index<=9", true), ("index>08", true), ("index>=9.5", false),
      ("index=09", true), ("index==9.0", true), ("index!=9", false), ("speaker=theo,jackson", true),
      ("speaker=jackson", false), ("speaker!=jackson,lucas", true), ("speaker!=theo,lucas", false), ("speaker<u", true),
      ("label=7", true), ("missing=1", false), ("missing!=1", false), ("when>=2020-01-02", true),
    ])
  func conditions(text: String, holds: Bool) throws {
    let fields = ["index": "9", "speaker": "theo", "when": "2020-01-10"]
    #expect(try FieldCondition(text).matches(Example(path: "a", label: "7", fields: fields)) == holds)
  }

  @Test(
    "a condition that cannot be read is refused",
    arguments: [
      ("speaker", "no operator"), ("=theo", "no field stands before '='"), ("index<", "a value is missing after '<'"),
      ("index<1,2", "'<' takes one value, not 2"), ("speaker=a,", "a value is missing"), ("a!b", "no operator"),
    ])
  func refusedConditions(text: String, reason: String) {
    #expect(sentence { _ = try FieldCondition(text) }.hasPrefix("condition '\(text)': \(reason)"))
  }

  @Test("a field no file has is refused with those there are")
  func unknownField() throws {
    let dataset = Dataset(
      examples: [
        Example(path: "a", label: "x", fields: ["b": "1"]), Example(path: "b", label: "y", fields: ["a": "1"]),
      ], source: "test")
    #expect(
      sentence { _ = try dataset.examples(where: [FieldCondition("c=1")]) }
        == "condition 'c=1': no file has a field 'c'; there are: a, b, label")
    #expect(try dataset.examples(where: [FieldCondition("a=1")]).map(\.path) == ["b"])
  }

  @Test("labels are in natural order")
  func naturalOrder() {
    let names = ["10", "a10b", "2", "b", "a2b", "02", "a", "take 100", "take 20", "Z", "é"]
    let dataset = Dataset(examples: names.map { Example(path: $0, label: $0) }, source: "test")
    #expect(dataset.labels == ["02", "2", "10", "Z", "a", "a2b", "a10b", "b", "take 20", "take 100", "é"])
  }

  @Test(
    "splits are read by their usual names",
    arguments: [
      ("train", Split.training), ("Training", .training), ("val", .validation), ("valid", .validation),
      ("validation", .validation), ("DEV", .validation), ("test", .testing), ("testing", .testing), ("fold1", nil),
    ] as [(String, Split?)])
  func splits(text: String, split: Split?) {
    #expect(Split(text) == split)
  }
}
