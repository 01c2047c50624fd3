import AuricleBase
import CKernels

/// The Adam optimiser (Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015, algorithm 1), with
/// Keras's defaults.
public struct Adam: Sendable {
  public var beta1 = 0.9
  public var beta2 = 0.999
  /// Added to the root of the corrected second moment.
  public var epsilon = 1e-7

  private var step = 0
  private var firstMoment: [Float]
  private var secondMoment: [Float]

  public init(parameterCount: Int) {
    firstMoment = [Float](repeating: 0, count: parameterCount)
    secondMoment = firstMoment
  }

  /// Moves `parameters` against `gradient`. Where the gradient's norm over all parameters exceeds `clipNorm`, it is
  /// first scaled down to it (Pascanu et al., 2013). Returns the norm before clipping.
  @discardableResult
  public mutating func update(
    _ parameters: inout [Float], gradient: [Float], learningRate: Double, clipNorm: Double? = nil
  ) -> Double {
    let kernels = auricle_kernels_f32().pointee
    let norm = squareRoot(kernels.sum_of_squares(gradient.count, gradient))
    guard norm.isFinite else { return norm }  // one impossible batch must not spoil the weights
    step += 1
    let scale = clipNorm.map { norm > $0 ? $0 / norm : 1 } ?? 1
    let (correction1, correction2) = (1 - power(beta1, Double(step)), squareRoot(1 - power(beta2, Double(step))))
    kernels.adam(
      parameters.count, learningRate * correction2 / correction1, beta1, beta2, epsilon * correction2, scale, gradient,
      &firstMoment, &secondMoment, &parameters)
    return norm
  }
}
