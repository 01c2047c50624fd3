/// Things that are costly to make, such as buffers, each lent to one user at a time: as many are made as are in use at
/// once.
///
///     let buffers = Pool { [Float](repeating: 0, count: 65_536) }
///     buffers.withValue { buffer in fill(&buffer) }         // on any thread
///
/// Which of them comes is not said, so a result must not depend on what was left in one. Nothing that is not `Sendable`
/// can leave `withValue`.
public final class Pool<Value>: Sendable {
  private let free = Locked<[Loan]>([])
  private let make: @Sendable () -> sending Value

  /// `@unchecked Sendable`: one user at a time holds it.
  private final class Loan: @unchecked Sendable {
    var value: Value
    init(_ value: sending Value) { self.value = value }
  }

  public init(_ make: @escaping @Sendable () -> sending Value) {
    self.make = make
  }

  public func withValue<Result: Sendable, Failure>(
    _ body: (inout sending Value) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let loan = free.withLock { $0.popLast() } ?? Loan(make())
    defer { free.withLock { $0.append(loan) } }
    return try body(&loan.value)
  }
}
