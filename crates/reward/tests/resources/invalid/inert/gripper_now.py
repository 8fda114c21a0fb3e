num_stages = 1

# Stage 1: close the fingers
def stage1_guidance(keypoints, action_sequence, gripper):
    now = gripper.flatten()[0]
    return -now
