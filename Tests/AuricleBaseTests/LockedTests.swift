import AuricleBase
import Foundation
import Testing

@Suite("A lock and a pool")
struct LockedTests {
  @Test("no increment is lost, whatever the number of threads")
  func counts() async {
    let count = Locked(0)
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<8 {
        group.addTask { for _ in 0..<10_000 { count.withLock { $0 += 1 } } }
      }
    }
    #expect(count.withLock { $0 } == 80_000)
  }

  @Test("the lock is open again after an error, which is thrown on")
  func errors() {
    struct Odd: Error {}
    let numbers = Locked([1])
    #expect(throws: Odd.self) {
      try numbers.withLock { numbers throws(Odd) in
        numbers.append(2)
        throw Odd()
      }
    }
    #expect(numbers.withLock { $0 } == [1, 2])
  }

  @Test("a value goes with its lock")
  func lifetime() {
    final class Owner: Sendable {}
    weak var owner: Owner?
    do {
      let value = Owner()
      owner = value
      let locked = Locked(value)
      locked.withLock { _ in #expect(owner != nil) }
    }
    #expect(owner == nil)
  }

  @Test("a pool lends each of its values to one at a time, and makes no more than are in use at once")
  func pool() async {
    final class Buffer { var isLent = false }
    let made = Locked(0)
    let pool = Pool {
      made.withLock { $0 += 1 }
      return Buffer()
    }
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<4 {
        group.addTask {
          for _ in 0..<1_000 {
            pool.withValue { buffer in
              #expect(!buffer.isLent)
              buffer.isLent = true
              sched_yield()
              buffer.isLent = false
            }
          }
        }
      }
    }
    #expect((1...4).contains(made.withLock { $0 }))
  }
}
