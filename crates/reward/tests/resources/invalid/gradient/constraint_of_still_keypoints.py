num_stages = 1
grasp_keypoints = [-1]
release_keypoints = [-1]

# Stage 1: keep the blocks apart
def stage1_subgoal_constraint1(end_effector, keypoints):
    return 0.2 - np.linalg.norm(keypoints[0] - keypoints[1])
