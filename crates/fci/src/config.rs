//! Settings of the driver.

/// How a Franka arm is reached, and how it reacts.
#[derive(Debug, Clone, PartialEq)]
pub struct FciConfig {
    /// The robot's address, `host` or `host:port`; without a port the interface's own, 1337.
    pub address: String,
    /// The gripper; `None` for an arm without one, whose fingers then count as closed.
    pub hand: Option<HandConfig>,
    /// Torque at the joints at which the robot stops for a collision, Nm. Default: 20.
    pub collision_nm: f64,
    /// Force at the hand at which it does, N; for torques the same number in Nm. Default: 20.
    pub collision_n: f64,
    /// Stiffness of the joints, Nm/rad; `None`, the default, leaves them as the robot has them.
    pub stiffness_nm_rad: Option<[f64; 7]>,
}

impl FciConfig {
    /// The robot at `address` with its hand there too, everything else at its default.
    #[must_use]
    pub fn at(address: &str) -> Self {
        Self {
            address: address.to_owned(),
            hand: Some(HandConfig::at(address)),
            collision_nm: 20.0,
            collision_n: 20.0,
            stiffness_nm_rad: None,
        }
    }
}

/// How the Franka hand is reached and used.
#[derive(Debug, Clone, PartialEq)]
pub struct HandConfig {
    /// Its address, `host` or `host:port`; without a port the interface's own, 1338.
    pub address: String,
    /// Speed of the opening, m/s. Default: 0.1.
    pub speed_m_s: f64,
    /// Force of a grasp, N. Default: 20.
    pub force_n: f64,
    /// Whether the hand is homed on connecting: it moves. Default: no.
    pub homes: bool,
    /// Whether it is homed when `Arm::home` asks for it, once. Default: no.
    pub homes_when_asked: bool,
}

impl HandConfig {
    /// The hand at `address`, everything else at its default.
    #[must_use]
    pub fn at(address: &str) -> Self {
        Self {
            address: address.to_owned(),
            speed_m_s: 0.1,
            force_n: 20.0,
            homes: false,
            homes_when_asked: false,
        }
    }
}
