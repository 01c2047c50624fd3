import AuricleBase
import CKernels
import RealModule
import SequenceModel

/// Moves parameters against their gradient. Constants are Keras's defaults.
///
///     var optimizer = Optimizer(.adamW, layout: layout)
///     optimizer.update(&parameters, gradient: gradient, learningRate: 1e-3, clipNorm: 1)
///
/// Its whole state are `step` and `moments`.
public struct Optimizer: Sendable {
  public enum Kind: String, Codable, CaseIterable, Sendable {
    /// Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015, algorithm 1.
    case adam
    /// Adam, but weights decay apart from the gradient (Loshchilov and Hutter, "Decoupled weight decay regularization",
    /// ICLR 2019).
    case adamW = "adamw"
    /// Stochastic gradient descent with Nesterov's momentum, in Keras's form: v = momentum v - rate g,
    /// w = w + momentum v - rate g.
    case sgd
    /// Gradients over the root of a moving mean of their squares (Tieleman and Hinton, 2012), as in Keras.
    case rmsprop

    public var defaultLearningRate: Double { self == .sgd ? 1e-2 : self == .rmsprop ? 1e-3 : 2e-3 }
    public var defaultWeightDecay: Double { self == .adamW ? 4e-3 : 0 }
    var momentCount: Int { self == .adam || self == .adamW ? 2 : 1 }
  }

  public let kind: Kind
  /// Decay of the moving means of gradients and of their squares, for Adam.
  public var beta1 = 0.9
  public var beta2 = 0.999
  /// Decay of the moving mean of squares, for RMSprop.
  public var rho = 0.9
  /// Share of the last step in the next one, for SGD.
  public var momentum: Double
  /// Keeps from division by zero: added to the root of the corrected second moment (Adam), or below the root (RMSprop).
  public var epsilon = 1e-7
  /// Of weights, not of biases, nor of a normalisation's gamma and beta: taken off as this share of the learning rate
  /// for AdamW, otherwise added to the gradient, times the weight (as PyTorch does).
  public var weightDecay: Double

  /// Updates done.
  public internal(set) var step = 0
  /// For each parameter: first and second moment (Adam), velocity (SGD), mean square (RMSprop).
  public internal(set) var moments: [[Float]]
  private let decaying: [Range<Int>]

  public init(_ kind: Kind, layout: ParameterLayout, momentum: Double = 0.9, weightDecay: Double? = nil) {
    self.kind = kind
    self.momentum = momentum
    self.weightDecay = weightDecay ?? kind.defaultWeightDecay
    moments = (0..<kind.momentCount).map { _ in [Float](repeating: 0, count: layout.count) }
    decaying = layout.tensors.filter(\.decays).map(\.range)
  }

  /// Moves `parameters` against `gradient`. Where the gradient's norm over all parameters exceeds `clipNorm`, it is
  /// first scaled down to it (Pascanu et al., 2013). Returns the norm before clipping.
  /// Statistics among the gradient must have been taken out; see `ParameterLayout.takeStatistics`.
  ///
  /// Throws `TrainingError.configuration` for arrays of another network's length.
  @discardableResult
  public mutating func update(
    _ parameters: inout [Float], gradient: [Float], learningRate: Double, clipNorm: Double? = nil
  ) throws(TrainingError) -> Double {
    let count = moments[0].count
    guard parameters.count == count, gradient.count == count else {
      throw .configuration(
        "\(parameters.count) parameters and \(gradient.count) gradients for an optimiser of \(count)")
    }
    let kernels = auricle_kernels_f32().pointee
    let norm = Double.sqrt(kernels.sum_of_squares(gradient.count, gradient))
    guard norm.isFinite else { return norm }  // one impossible batch must not spoil the weights
    step += 1
    var scale = clipNorm.map { norm > $0 ? $0 / norm : 1 } ?? 1
    var gradient = gradient
    if weightDecay > 0 && kind == .adamW {
      for i in decaying.joined() { parameters[i] *= Float(1 - learningRate * weightDecay) }
    } else if weightDecay > 0 {
      for i in gradient.indices { gradient[i] *= Float(scale) }
      for i in decaying.joined() { gradient[i] += Float(weightDecay) * parameters[i] }
      scale = 1
    }
    switch kind {
    case .adam, .adamW:
      let (correction1, correction2) = (
        1 - Double.pow(beta1, Double(step)), Double.sqrt(1 - Double.pow(beta2, Double(step)))
      )
      var second = [Float]()
      swap(&second, &moments[1])
      kernels.adam(
        parameters.count, learningRate * correction2 / correction1, beta1, beta2, epsilon * correction2, scale,
        gradient, &moments[0], &second, &parameters)
      swap(&second, &moments[1])
    case .sgd:
      let (momentum, rate) = (Float(momentum), Float(learningRate * scale))
      forEach(&parameters, gradient) { parameter, gradient, velocity in
        velocity = momentum * velocity - rate * gradient
        parameter += momentum * velocity - rate * gradient
      }
    case .rmsprop:
      let (rate, scale, rho, epsilon) = (Float(learningRate), Float(scale), Float(rho), Float(epsilon))
      forEach(&parameters, gradient) { parameter, gradient, square in
        let gradient = scale * gradient
        square = rho * square + (1 - rho) * gradient * gradient
        parameter -= rate * gradient / (square + epsilon).squareRoot()
      }
    }
    return norm
  }

  private mutating func forEach(
    _ parameters: inout [Float], _ gradient: [Float],
    _ body: (_ parameter: inout Float, _ gradient: Float, _ moment: inout Float) -> Void
  ) {
    moments[0].withUnsafeMutableBufferPointer { moments in
      parameters.withUnsafeMutableBufferPointer { parameters in
        for i in parameters.indices { body(&parameters[i], gradient[i], &moments[i]) }
      }
    }
  }
}
