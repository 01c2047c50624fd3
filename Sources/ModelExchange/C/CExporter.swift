import AudioFeatures
import AuricleBase
import SequenceModel

/// A model as one C99 source file and its header, which need nothing but libm and allocate nothing: samples in,
/// probabilities out, the whole sound at once or as it comes.
///
///     let files = try CExporter(model, name: "digits").files()
///     try FileAccess.writeAtomically(files.source, to: "digits.c")
///     try FileAccess.writeAtomically(files.header, to: "digits.h")
///
/// All that changes is in one struct, whose size stands in the head of the header beside that of the constants. Networks
/// that need the end of a sound before its beginning (see `NetworkConfiguration.waitsForEnd`) keep its frames, up to
/// `seconds`.
///
/// With `Precision.int8` the weights of dense, convolutional and recurrent layers are whole numbers of 8 bits with a scale
/// for each output, what they are multiplied by is made so row by row, sums have 32 bits, and sigmoid and tanh are read
/// from a table. Everything else stays in single precision.
public struct CExporter: Sendable {
  /// What the program takes: samples, or frames of features.
  public typealias Input = ONNXExporter.Input
  /// Of the weights.
  public enum Precision: String, CaseIterable, Sendable { case float32, int8 }

  private let model: ClassifierEnsemble
  private let prefix: String
  private let input: Input
  private let precision: Precision
  private let seconds: Double

  /// `name` is what the public names in C begin with: letters, digits and underscores of it. `seconds` is the longest
  /// sound for networks that need all of it.
  ///
  /// Throws `ModelExchangeError` for features that C does not compute, a model of other sequences asked to take samples,
  /// or a length out of range.
  public init(
    _ model: ClassifierEnsemble, name: String, input: Input = .samples, precision: Precision = .float32,
    seconds: Double = 10
  ) throws(ModelExchangeError) {
    (self.model, self.input, self.precision, self.seconds) = (model, input, precision, seconds)
    let letters = name.unicodeScalars.map { scalar -> Character in
      scalar.isASCII && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil)
        ? Character(scalar).lowercased().first ?? "_" : "_"
    }
    let isName = letters.first.map { !$0.isNumber } ?? false
    prefix = (isName ? "" : "model_") + String(letters)
    guard seconds > 0, seconds <= 3600 else {
      throw .option("the longest sound is to be \(seconds) s; it must be above 0 and at most 3600")
    }
    guard case .audio(let features) = model.input else {
      if input == .samples { throw .notForSound }
      return
    }
    if input == .samples { try features.requireExportable() }
  }

  /// The most frames that a network keeps that needs all of them.
  private var mostFrames: Int {
    guard case .audio(let features) = model.input else { return max(1, Int(seconds * 100)) }
    return max(1, features.frames(ofSamples: Int(seconds * Double(features.sampleRate))))
  }

  /// Why the program needs the end of a sound before its beginning; nil where it does not.
  private var keepsFrames: Bool {
    if model.members.contains(where: { $0.configuration.waitsForEnd != nil }) { return true }
    guard input == .samples, case .audio(let features) = model.input else { return false }
    return features.needsStatistics || features.needsGreatest
  }

  /// The texts of the two files; the source includes the header as `<prefix>.h` unless told otherwise. The same model
  /// always gives the same. Throws `ModelError` or `ModelExchangeError`.
  public func files(headerName: String? = nil) throws -> (header: [UInt8], source: [UInt8]) {
    var program = CProgram(prefix: prefix, precision: precision, mostFrames: mostFrames)
    var samples: CFeatures?
    if input == .samples, case .audio(let configuration) = model.input {
      let features = CFeatures(configuration)
      features.add(to: &program)
      samples = features
    }
    let first = program.next
    var layers = CLayers(program)
    if let normalizer = model.normalizer { layers.normalization(normalizer, width: model.input.width) }
    let fan = layers.program.next
    if model.members.count > 1 {
      let width = model.input.width
      layers.program.add(
        "The same frames for all members.", fields: [.init(element: .float, name: "x", count: width)],
        push: "  memcpy({s}.x, x, sizeof {s}.x);\n{pushes}", flush: "{flushes}")
    }
    var firsts: [Int] = []
    for member in model.members {
      firsts.append(layers.program.next)
      try layers.network(member, share: 1 / Float(model.members.count))
    }
    if model.members.count > 1 {
      let pushes = firsts.map { "  push_\($0)(s, s->at\(fan).x);" }.joined(separator: "\n")
      layers.program.complete(stage: fan, "{pushes}", pushes)
      layers.program.complete(
        stage: fan, "{flushes}", firsts.map { "  flush_\($0)(s);" }.joined(separator: "\n"))
    }
    program = layers.program
    let structure = program.structure(classes: model.labels.count)
    let code = program.code()
    let guardName = prefix.uppercased()
    let isLive = !keepsFrames
    let size = program.constantBytes + model.parameterCount
    guard size < 1 << 30 else { throw ModelExchangeError.tooLarge(bytes: size) }

    let unit = input == .samples ? "samples" : "frames"
    var macros = "#define \(guardName)_CLASSES \(model.labels.count)\n"
    if case .audio(let features) = model.input {
      macros += "/* Samples a second. */\n#define \(guardName)_SAMPLE_RATE \(features.sampleRate)\n"
    }
    if input == .features { macros += "/* Numbers in a frame. */\n#define \(guardName)_WIDTH \(model.input.width)\n" }
    let feed =
      input == .samples
      ? """
      /* Takes the next samples, mono and within [-1, 1) (or of 16 bits); any number of them. */
      void \(prefix)_feed(\(prefix)_stream *s, const float *samples, size_t count);
      void \(prefix)_feed16(\(prefix)_stream *s, const int16_t *samples, size_t count);
      """
      : """
      /* Takes the next frames, \(guardName)_WIDTH numbers each; any number of them. */
      void \(prefix)_feed(\(prefix)_stream *s, const float *frames, size_t count);
      """
    let now =
      isLive
      ? """

      /* Probabilities of the frames that are complete so far; the stream goes on as if it had not been asked. */
      int \(prefix)_now(\(prefix)_stream *s, float probabilities[\(guardName)_CLASSES]);
      """ : ""
    let limit =
      isLive
      ? "It can go on for as long as sound comes."
      : "It needs the end of a sound before its beginning, so it keeps its frames: at most \(mostFrames) (\(seconds) s)."
    let header = """
      /* Written by auricle export --to c\(precision == .int8 ? " --int8" : ""). \(limit)

         Flash: \(program.constantBytes) bytes of constants, and the code (see the docs for its size).
         RAM:   \(program.streamBytes) bytes, the struct; and little on the stack. */
      #ifndef \(guardName)_H
      #define \(guardName)_H

      #include <stddef.h>
      #include <stdint.h>

      #ifdef __cplusplus
      extern "C" {
      #endif

      \(macros)
      enum {
        \(guardName)_OK = 0,
        /* No frame fits into so few \(unit). */
        \(guardName)_TOO_SHORT = 1,
        /* More frames than the struct has room for. */
        \(guardName)_TOO_LONG = 2,
        /* Something that came in is not a finite number, or so large that the network overflows. */
        \(guardName)_NOT_FINITE = 3
      };

      /* Names of the classes, in the order of the probabilities. */
      extern const char *const \(prefix)_labels[\(guardName)_CLASSES];

      /* All that changes: yours to place, \(prefix)_begin before each sound. */
      typedef struct \(prefix)_stream {
      \(structure)
      } \(prefix)_stream;

      void \(prefix)_begin(\(prefix)_stream *s);

      \(feed)\(now)

      /* Probabilities of the whole sound, which has ended. Returns one of the numbers above; probabilities are only
         written where it is \(guardName)_OK. */
      int \(prefix)_finish(\(prefix)_stream *s, float probabilities[\(guardName)_CLASSES]);

      /* All of that for a whole sound. */
      int \(prefix)_classify(\(prefix)_stream *s, const float *\(unit), size_t count,
                      float probabilities[\(guardName)_CLASSES]);

      /* The most probable class. */
      size_t \(prefix)_best(const float probabilities[\(guardName)_CLASSES]);

      #ifdef __cplusplus
      }
      #endif

      #endif

      """
    let labels = model.labels.map { "  \(Self.literal($0))" }.joined(separator: ",\n")
    let source = """
      /* Written by auricle export; see the header. */
      #include "\(headerName ?? "\(prefix).h")"

      #include <float.h>
      #include <math.h>
      #include <string.h>

      const char *const \(prefix)_labels[\(guardName)_CLASSES] = {
      \(labels)
      };

      /* What the head of the header says. */
      typedef char \(prefix)_size_as_stated[sizeof(\(prefix)_stream) <= \(program.streamBytes) ? 1 : -1];

      \(code)
      void \(prefix)_begin(\(prefix)_stream *s) {
        memset(s, 0, sizeof *s);
      }

      \(samples?.feed(program, first: 0) ?? framesFeed(first: first))

      /* 0, or what is wrong; the answer where nothing is. */
      static int give(\(prefix)_stream *s, float *probabilities) {
        if (s->status == 0) memcpy(probabilities, s->answer, sizeof s->answer);
        return (int)s->status;
      }
      \(isLive ? nowFunction(program) : "")
      int \(prefix)_finish(\(prefix)_stream *s, float probabilities[\(guardName)_CLASSES]) {
        memset(s->answer, 0, sizeof s->answer);
        \(samples == nil ? "flush_\(first)(s);" : "finish_samples(s);")
        return give(s, probabilities);
      }

      int \(prefix)_classify(\(prefix)_stream *s, const float *\(unit), size_t count,
                      float probabilities[\(guardName)_CLASSES]) {
        \(prefix)_begin(s);
        \(prefix)_feed(s, \(unit), count);
        return \(prefix)_finish(s, probabilities);
      }

      size_t \(prefix)_best(const float probabilities[\(guardName)_CLASSES]) {
        size_t best = 0, i;
        for (i = 1; i < \(guardName)_CLASSES; i++) {
          if (probabilities[i] > probabilities[best]) best = i;
        }
        return best;
      }

      """
    return (Array(header.utf8), Array(source.utf8))
  }

  private func framesFeed(first: Int) -> String {
    let width = model.input.width
    return """
      void \(prefix)_feed(\(prefix)_stream *s, const float *frames, size_t count) {
        size_t frame;
        int i;
        for (frame = 0; frame < count; frame++, frames += \(width)) {
          for (i = 0; i < \(width); i++) {
            if (!(fabsf(frames[i]) <= FLT_MAX)) s->status = \(prefix.uppercased())_NOT_FINITE;
          }
          push_\(first)(s, frames);
        }
      }
      """
  }

  private func nowFunction(_ program: CProgram) -> String {
    """

    int \(prefix)_now(\(prefix)_stream *s, float probabilities[\(prefix.uppercased())_CLASSES]) {
      const int32_t status = s->status;
      int result;
      memset(s->answer, 0, sizeof s->answer);
    \(program.poolings.map { "  pooled_\($0)(s);" }.joined(separator: "\n"))
      result = give(s, probabilities);
      s->status = status;
      return result;
    }

    """
  }

  /// A string of C, whatever the label holds.
  private static func literal(_ text: String) -> String {
    var result = "\""
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "?"): result += "\\" + String(UnicodeScalar(byte))
      case 32..<127: result += String(UnicodeScalar(byte))
      default:
        let octal = String(byte, radix: 8)
        result += "\\" + String(repeating: "0", count: 3 - octal.count) + octal
      }
    }
    return result + "\""
  }
}
