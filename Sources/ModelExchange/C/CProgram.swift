import AuricleBase
import RealModule
import SequenceModel

/// A C program under construction: a chain of stages, each of which takes a row, keeps what it must, and pushes rows on.
///
/// Stage `n` has a function `push_n`, which takes its next row, and `flush_n`, which is called once after the last. All
/// that a stage keeps is a member `n` of the stream's struct; rows on their way lie in one of two buffers in turn.
struct CProgram {
  /// What all public names begin with.
  let prefix: String
  let precision: CExporter.Precision
  /// Rows that a stage keeps that needs the end before the beginning.
  let mostFrames: Int

  private(set) var constants = ""
  private(set) var constantBytes = 0
  private var helpers: Set<Helper> = []
  /// In the order of the chain; C wants the reverse.
  private var stages: [String] = []
  private var members: [String] = []
  private var memberBytes = 0
  private var rowSize = 1
  private(set) var gateSize = 0
  private var quantizedSize = 0
  private var slot = 0
  /// Which of the stages are the poolings, whose rows can be had at any time.
  var poolings: [Int] = []

  init(prefix: String, precision: CExporter.Precision, mostFrames: Int) {
    (self.prefix, self.precision, self.mostFrames) = (prefix, precision, mostFrames)
  }

  /// The number that the next stage gets.
  var next: Int { stages.count }
  var stream: String { "\(prefix)_stream" }

  // MARK: Parts

  /// What a stage keeps: one member of its struct.
  struct Field {
    enum Element: String {
      case float
      case int32 = "int32_t"
      case int64 = "int64_t"
      case int8 = "int8_t"
    }
    let element: Element
    let name: String
    /// Elements; nil for a single one.
    var count: Int?

    var bytes: Int {
      let size = element == .int8 ? 1 : element == .int64 ? 8 : 4
      return (size * (count ?? 1) + 3) / 4 * 4
    }
    var text: String { "\(element.rawValue) \(name)\(count.map { "[\($0)]" } ?? "");" }
  }

  /// Adds a stage. `{push}` and `{flush}` in its texts stand for passing a row on and for ending the next stage; `{s}` for
  /// its own member, `{n}` for its number, `{T}` for the stream's type.
  mutating func add(
    _ comment: String, fields: [Field] = [], before: String = "", push: String, flush: String = "  {flush};"
  ) {
    let number = next
    if !fields.isEmpty {
      let isWide = fields.contains { $0.element == .int64 }
      let bytes = fields.reduce(0) { $0 + $1.bytes }
      memberBytes += isWide ? (bytes + 7) / 8 * 8 : bytes
      // Those of eight bytes first, so that nothing is lost between members.
      members.insert(
        "  struct { \(fields.map(\.text).joined(separator: " ")) } at\(number);", at: isWide ? 0 : members.count)
    }
    let text = """
      /* \(comment) */

      \(before)static void push_{n}({T} *s, const float *x) {
      \(push)
      }

      static void flush_{n}({T} *s) {
      \(flush)
      }
      """
    stages.append(
      text.replacing("{push}", with: "push_\(number + 1)").replacing("{flush}", with: "flush_\(number + 1)(s)")
        .replacing("{s}", with: "s->at\(number)").replacing("{n}", with: "\(number)")
        .replacing("{T}", with: stream))
  }

  /// Puts `text` in the place of `placeholder` in a stage that had to wait for it.
  mutating func complete(stage: Int, _ placeholder: String, _ text: String) {
    stages[stage] = stages[stage].replacing(placeholder, with: text)
  }

  /// A buffer for a row of `count` that a stage makes; what came in stays as it is.
  mutating func row(_ count: Int) -> String {
    rowSize = max(rowSize, count)
    slot = 1 - slot
    return "s->row[\(slot)]"
  }

  /// The buffer of a recurrent step.
  mutating func needGates(_ count: Int) { gateSize = max(gateSize, count) }

  mutating func constant(_ name: String, _ values: [Float]) -> String {
    constantBytes += 4 * values.count
    constants += "static const float \(name)[\(values.count)] = {" + Self.list(values.map { "\($0)f" }) + "};\n"
    return name
  }

  mutating func constant<Number: FixedWidthInteger>(_ name: String, _ values: [Number]) -> String {
    constantBytes += values.count * Number.bitWidth / 8
    let type = "\(Number.isSigned ? "" : "u")int\(Number.bitWidth)_t"
    constants += "static const \(type) \(name)[\(values.count)] = {" + Self.list(values.map { "\($0)" }) + "};\n"
    return name
  }

  private static func list(_ values: [String]) -> String {
    var (text, column) = ("\n  ", 2)
    for (index, value) in values.enumerated() {
      if column + value.utf8.count > 117 {
        text += "\n  "
        column = 2
      }
      text += index + 1 == values.count ? value : value + ","
      column += value.utf8.count + 1
    }
    return text + "\n"
  }

  // MARK: Products

  /// A matrix of weights, so many rows (outputs) and columns (inputs).
  struct Matrix {
    let rows: Int
    let columns: Int
    fileprivate let name: String
    fileprivate let scale: String?
  }

  /// Stored with a row for each output: `values` is `blocks x rows x columns`, a scale for each row over all blocks.
  mutating func matrix(_ name: String, _ values: [Float], rows: Int, columns: Int, blocks: Int = 1) -> Matrix {
    guard precision == .int8 else {
      return Matrix(rows: rows, columns: columns, name: constant(name, values), scale: nil)
    }
    let quantized = QuantizedRows(values, rows: rows, columns: columns, blocks: blocks)
    return Matrix(
      rows: rows, columns: columns, name: constant(name, quantized.values),
      scale: constant("\(name)_scale", quantized.scales))
  }

  /// Statements that add the product of some of the matrix's rows and of `x` to `y`. A prepared `x` is an int8 row with
  /// its scale.
  mutating func addProduct(
    _ matrix: Matrix, x: String, prepared scale: String? = nil, y: String, block: String? = nil,
    rows: Range<Int>? = nil
  ) -> String {
    let rows = rows ?? 0..<matrix.rows
    var weights = matrix.name
    if rows.lowerBound > 0 { weights += " + \(rows.lowerBound * matrix.columns)" }
    if let block { weights += " + (\(block)) * \(matrix.rows * matrix.columns)" }
    guard let rowScale = matrix.scale else {
      helpers.insert(.addProduct)
      return "add_product(\(rows.count), \(matrix.columns), \(weights), \(x), \(y));"
    }
    helpers.insert(.addProductInt8)
    let scales = rows.lowerBound > 0 ? "\(rowScale) + \(rows.lowerBound)" : rowScale
    let call = "add_product8(\(rows.count), \(matrix.columns), \(weights), \(scales), "
    if let scale { return call + "\(scale), \(x), \(y));" }
    quantizedSize = max(quantizedSize, matrix.columns)
    helpers.insert(.quantize)
    return call + "quantize(\(matrix.columns), \(x), s->quantized), s->quantized, \(y));"
  }

  /// A statement that makes int8 of a row, which goes to `target` with its scale.
  mutating func quantize(_ count: Int, _ x: String, to target: String, scale: String) -> String {
    helpers.insert(.quantize)
    return "\(scale) = quantize(\(count), \(x), \(target));"
  }

  // MARK: Functions

  mutating func function(_ function: Activation.Function, of x: String) -> String {
    switch function {
    case .relu: return "(\(x) < 0 ? 0 : \(x))"
    case .tanh: return "\(tanh)(\(x))"
    case .sigmoid: return "\(sigmoid)(\(x))"
    case .silu: return "\(x) * \(sigmoid)(\(x))"
    }
  }

  var tanh: String {
    mutating get {
      guard precision == .int8 else { return "tanhf" }
      helpers.insert(.tanhTable)
      return "tanh_of"
    }
  }

  var sigmoid: String {
    mutating get {
      helpers.insert(precision == .int8 ? .sigmoidTable : .sigmoid)
      if precision == .int8 { helpers.insert(.tanhTable) }
      return "sigmoid_of"
    }
  }

  private enum Helper: Int, CaseIterable { case addProduct, quantize, addProductInt8, sigmoid, tanhTable, sigmoidTable }

  private func text(_ helper: Helper) -> String {
    switch helper {
    case .addProduct:
      """
      /* y += w x, w of so many rows and columns. */
      static void add_product(int rows, int columns, const float *w, const float *x, float *y) {
        int row, i;
        for (row = 0; row < rows; row++, w += columns) {
          float a = 0, b = 0, c = 0, d = 0;
          for (i = 0; i + 4 <= columns; i += 4) {
            a += w[i] * x[i];
            b += w[i + 1] * x[i + 1];
            c += w[i + 2] * x[i + 2];
            d += w[i + 3] * x[i + 3];
          }
          for (; i < columns; i++) a += w[i] * x[i];
          y[row] += (a + b) + (c + d);
        }
      }

      """
    case .quantize:
      """
      /* x as whole numbers of -127 to 127, times the scale that is returned. */
      static float quantize(int count, const float *x, int8_t *q) {
        float greatest = 0, inverse;
        int i;
        for (i = 0; i < count; i++) {
          const float size = fabsf(x[i]);
          if (size > greatest || size != size) greatest = size;
        }
        if (!(greatest > 0) || !(greatest <= FLT_MAX)) {
          memset(q, 0, (size_t)count);
          return greatest;  /* 0, or what no number is: then nothing after it is, either */
        }
        inverse = 127 / greatest;
        if (!(inverse <= FLT_MAX)) inverse = FLT_MAX;
        for (i = 0; i < count; i++) q[i] = (int8_t)(x[i] * inverse + (x[i] > 0 ? 0.5f : -0.5f));
        return greatest / 127;
      }

      """
    case .addProductInt8:
      """
      /* y += scale[row] * x_scale * (w x), summed in 32 bits. */
      static void add_product8(int rows, int columns, const int8_t *w, const float *scale, float x_scale,
                               const int8_t *x, float *y) {
        int row, i;
        for (row = 0; row < rows; row++, w += columns) {
          int32_t sum = 0;
          for (i = 0; i < columns; i++) sum += (int32_t)w[i] * x[i];
          y[row] += scale[row] * x_scale * (float)sum;
        }
      }

      """
    case .sigmoid: "static float sigmoid_of(float x) { return 1 / (1 + expf(-x)); }\n\n"
    case .tanhTable:
      """
      /* By a table of 1/32 from entry to entry, and straight lines between: within 1.2e-4. */
      static float tanh_of(float x) {
        const float place = fabsf(x) * 32;
        float y;
        if (!(place < 256)) return place > 0 ? (x > 0 ? 1.0f : -1.0f) : x;
        {
          const int index = (int)place;
          const float low = (float)tanh_table[index], high = (float)tanh_table[index + 1];
          y = (low + (place - (float)index) * (high - low)) * (1 / 32767.0f);
        }
        return x > 0 ? y : -y;
      }

      """
    case .sigmoidTable: "static float sigmoid_of(float x) { return 0.5f + 0.5f * tanh_of(0.5f * x); }\n\n"
    }
  }

  // MARK: The whole

  /// Bytes of the stream, on a machine whose numbers are aligned to their size.
  var streamBytes: Int {
    (8 + memberBytes + 8 * rowSize + 4 * gateSize + (quantizedSize + 3) / 4 * 4 + 4 * answers + 7) / 8 * 8
  }
  private var answers = 0

  /// The struct's body; `classes` probabilities stand in it.
  mutating func structure(classes: Int) -> String {
    answers = classes
    var lines = members
    lines.append("  float row[2][\(rowSize)];")
    if gateSize > 0 { lines.append("  float gates[\(gateSize)];") }
    lines += ["  float answer[\(classes)];", "  int32_t status;"]
    if quantizedSize > 0 { lines.append("  int8_t quantized[\(quantizedSize)];") }
    return lines.joined(separator: "\n")
  }

  mutating func code() -> String {
    if helpers.contains(.tanhTable) {
      _ = constant(
        "tanh_table", (0...256).map { Int16(((1 - 2 / (Double.exp(Double($0) / 16) + 1)) * 32_767).rounded()) })
    }
    let functions = Helper.allCases.filter { helpers.contains($0) }.map { text($0) }.joined()
    return constants + "\n" + functions + stages.reversed().joined(separator: "\n\n") + "\n"
  }
}
